package via

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
)

// Where things are in a pod.
const (
	kubeSecrets  = "/var/run/secrets/monarch-tui" //nolint:gosec // a folder, and no secret
	kubeSecret   = kubeSecrets + "/secret"
	kubePrograms = "/monarch-tui"
	kubeLabel    = "monarch-tui/job"
)

// kubeGrace is how long a pod has to end by itself when it is told to, in seconds.
const kubeGrace = 10

// kubeMaxSecret is what a Secret holds at most: etcd takes 1 MiB, and base64 takes a third more.
const kubeMaxSecret = 700 << 10

// waitScript waits in a pod until the program has been copied there, whole and under its name. It runs as: sh -c SCRIPT sh PROGRAM ARGS.
const waitScript = `trap "exit 143" TERM; until [ -x "$1" ]; do sleep 0.2 2>/dev/null || sleep 1; done; exec "$@"`

type object = map[string]any

// kubeManifest is the Secret and the Job, for kubectl create.
func kubeManifest(spec *Spec, name string) ([]byte, error) {
	secret := spec.Secret(-1)
	if len(secret) > kubeMaxSecret {
		return nil, fmt.Errorf("a secret of %d bytes is over the limit of %d that Kubernetes has", len(secret), kubeMaxSecret)
	}
	labels := object{kubeLabel: name}
	n := spec.hosts()
	return json.MarshalIndent(object{"apiVersion": "v1", "kind": "List", "items": []object{
		{
			"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": name, "labels": labels}, "type": "Opaque", "immutable": true,
			"data": object{"secret": base64.StdEncoding.EncodeToString(secret)},
		},
		{
			"apiVersion": "batch/v1", "kind": "Job", "metadata": object{"name": name, "labels": labels},
			"spec": object{
				// One failed agent is no reason to end the others, nor to start one anew: supervision is ours. A backoffLimit of 0 would end
				// all pods with the first (needs Kubernetes 1.29).
				"completionMode": "Indexed", "completions": n, "parallelism": n, "backoffLimitPerIndex": 0,
				"ttlSecondsAfterFinished": 3600,
				"template":                object{"metadata": object{"labels": labels}, "spec": kubePod(spec, name)},
			},
		},
	}}, "", "  ")
}

// kubePod is what each host is.
func kubePod(spec *Spec, name string) object {
	secret := object{"name": "secret", "secret": object{"secretName": name, "defaultMode": 0o400}}
	volumes := []object{secret}
	mounts := []object{{"name": "secret", "mountPath": kubeSecrets, "readOnly": true}}
	command := append([]string{spec.Options["program"]}, spec.Program.Args...)
	if spec.Options["program"] == "" {
		volumes = append(volumes, object{"name": "programs", "emptyDir": object{}})
		mounts = append(mounts, object{"name": "programs", "mountPath": kubePrograms})
		command = append([]string{"/bin/sh", "-c", waitScript, "sh", kubeProgram(spec.Program)}, spec.Program.Args...)
	}
	container := object{
		"name": "agent", "image": spec.Options["image"], "command": command, "volumeMounts": mounts,
		"env": []object{{"name": Env, "value": byFile + kubeSecret}},
	}
	if spec.Dir != "" && spec.Options["program"] != "" {
		container["workingDir"] = spec.Dir
	}
	resources := object{}
	if spec.GPUs > 0 {
		gpu := spec.Options["gpu"]
		if gpu == "" {
			gpu = "nvidia.com/gpu"
		}
		resources["limits"] = object{gpu: strconv.Itoa(spec.GPUs)}
	}
	if spec.CPUs > 0 {
		resources["requests"] = object{"cpu": strconv.Itoa(spec.CPUs)}
	}
	if len(resources) > 0 {
		container["resources"] = resources
	}
	pod := object{"restartPolicy": "Never", "terminationGracePeriodSeconds": kubeGrace, "enableServiceLinks": false, "automountServiceAccountToken": false, "volumes": volumes, "containers": []object{container}}
	if len(spec.Hosts) > 0 { // the nodes of their choice; one pod on each
		pod["affinity"] = object{
			"nodeAffinity": object{"requiredDuringSchedulingIgnoredDuringExecution": object{"nodeSelectorTerms": []object{
				{"matchExpressions": []object{{"key": "kubernetes.io/hostname", "operator": "In", "values": spec.Hosts}}},
			}}},
			"podAntiAffinity": object{"requiredDuringSchedulingIgnoredDuringExecution": []object{
				{"labelSelector": object{"matchLabels": object{kubeLabel: name}}, "topologyKey": "kubernetes.io/hostname"},
			}},
		}
	}
	return pod
}

// kubeProgram is where the program is in a pod, once it was copied there.
func kubeProgram(p Program) string { return path.Join(kubePrograms, sumHex(p), baseOf(p)) }
