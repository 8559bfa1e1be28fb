// Package hosts holds tests only: meshes on hosts that real launchers reach, with real agents and workers. What stands for the
// machines are logins to this one, network namespaces with a switch between them, and the nodes of a Slurm and of a Kubernetes that
// make test-slurm and make test-k8s make of such namespaces.
package hosts
