// Package gpu finds the GPUs that this process may use, gives each rank of a mesh one of them, keeps two controllers of a
// machine from using one by accident, and measures them.
//
// Devices are found by the first Source that can be had: NVML (only in a program built with the tag nvml, which needs cgo),
// else nvidia-smi. A machine without either has none, and its slots are virtual. What the environment of the controller
// hides (CUDA_VISIBLE_DEVICES) stays hidden: Visible reads the variable as CUDA does, and only what is left is given away. A
// GPU that is cut into MIG instances is its instances.
//
// It is no scheduler: devices are taken in order. It talks to no GPU but to ask, and starts no worker: the engine puts
// CUDA_VISIBLE_DEVICES and the CPUs that Slots names into what engine/internal/launch starts.
//
// # Claims
//
// A device is claimed by a name in Linux's abstract socket namespace, one for each UUID: a socket is bound to it, and who
// finds the name taken asks the socket whose process that is. A lock file would do the same less well: it needs a folder that
// all users of a machine share, so it can be made by somebody else beforehand, be a link, have a mode that keeps the next
// user from opening it, be deleted by a cleaner of /tmp while it is held, or lie in the private /tmp of a service or a batch
// job where nobody else sees it; and what it says of its holder is hearsay. A name in the kernel has no owner, no mode and no
// age, ends with its process by whatever cause, and the kernel tells the pid. As with a file, whoever wants to annoy others
// can take a name and keep it. Claims are seen within a network namespace: containers that have one of their own each do not
// see those of others.
//
// A claim belongs to a mesh, not to a process, so a rank that is started again has the device it had.
//
// Locks: Finder has one, a channel, which is held while a source is asked; Slots has none, its fields are set before it is
// shared, but for the claims, which Release alone takes.
//
// Invariants, named by the tests:
//
//   - INV-ONE: a device is claimed by one mesh of one controller at a time.
//   - INV-HIDDEN: a device that CUDA_VISIBLE_DEVICES hides from this process is given to no rank.
//   - INV-BOUND: what a source says, and how long it takes to say it, is bounded; nonsense is an error.
package gpu
