# A pod's first process, in mounts, processes and a host name of its own: NAME ROOT DIR N (FOLDER WHERE)xN COMMAND.
set -e
hostname "$1"
root=$2 dir=$3 n=$4
shift 4
mount --make-rprivate /
mount -t tmpfs root "$root"
for d in /*; do
  if [ -L "$d" ]; then
    cp -P "$d" "$root$d"
  elif [ -d "$d" ]; then
    mkdir "$root$d"
    case $d in
    /proc) mount -t proc proc "$root$d" ;;
    /run) mount -t tmpfs run "$root$d" ;;
    *) mount --bind "$d" "$root$d" ;;
    esac
  fi
done
while [ "$n" -gt 0 ]; do
  chroot "$root" mkdir -p "$2"
  mount --bind "$1" "$root$(chroot "$root" realpath "$2")"
  n=$((n - 1))
  shift 2
done
echo started >&3
exec chroot "$root" env -C "$dir" "$@" 3>&-
