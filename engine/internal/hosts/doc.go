// Package hosts holds tests only: meshes on hosts that real launchers reach, with real agents and workers. What stands for the
// machines are logins to this one.
package hosts
