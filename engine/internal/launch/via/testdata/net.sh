# For slurm.sh and k8s.sh. The networks of three machines, in namespaces: NAME0 is that of who controls, NAME1 and NAME2 are those of nodes.
# The switch between them is in a namespace of its own, so that the machine's network is not touched; pN is the port of machine N there.

# net NAME A.B.C: machine N has the address A.B.C.(N+1).
net() {
  ip netns add $1sw
  ip -n $1sw link set lo up
  ip -n $1sw link add br0 type bridge
  ip -n $1sw link set br0 up
  for i in 0 1 2; do
    ip netns add $1$i
    ip link add eth0 netns $1$i type veth peer name p$i netns $1sw
    ip -n $1sw link set p$i master br0 up
    ip -n $1$i addr add $2.$((i + 1))/24 dev eth0
    ip -n $1$i link set eth0 up
    ip -n $1$i link set lo up
  done
}

# net_off NAME N: all that runs in the network of a machine is killed, and what it has started meanwhile.
net_off() {
  while p=$(ip netns pids $1$2 2>/dev/null) && [ -n "$p" ]; do
    kill -KILL $p 2>/dev/null || true
    sleep .01
  done
}

# net_down NAME: the networks are removed, and what runs in those of nodes is killed.
net_down() {
  for i in 1 2; do net_off $1 $i; done
  for i in 0 1 2 sw; do ip netns del $1$i 2>/dev/null || true; done
}
