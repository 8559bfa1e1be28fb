// Package oom tells whether a process that was killed was killed by the kernel, for memory, and what its limit was.
//
// The kernel sends SIGKILL and says no more to a parent. But it counts, for each memory cgroup, how many of its processes it
// has killed so (oom_kill: memory.events of cgroup v2, memory.oom_control of v1), whether the cgroup or the whole machine was
// out of memory. So a kill that nobody ordered, while that count grew, is one of those. One of them is told for each that the
// kernel counts. What it cannot tell apart: of two processes of one cgroup of which the kernel killed one and somebody else the
// other, at the same time.
//
// Where no cgroup counts, nothing is told.
package oom
