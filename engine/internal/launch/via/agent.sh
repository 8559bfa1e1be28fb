# What runs on a host before the program does: script.go says who sends it, and what the lines that it prints mean.
# It is for any POSIX sh. Names begin with mt_, so that nothing that the user exports is changed for the program.

mt_say() { printf '\n%s %s %s\n' "$mt_nonce" "$mt_index" "$*"; }
mt_fail() { mt_say fail "$*"; exit 1; }

mt_mask=$(umask)
umask 077
[ -n "$PATH" ] || { PATH=/usr/local/bin:/usr/bin:/bin; export PATH; }
mt_index=${mt_index:-${SLURM_NODEID:-0}}
mt_s=$(uname -snm) # in the order of uname -a: system, node, machine
mt_here=${mt_s%% *}/${mt_s##* }
mt_s=${mt_s#* }
mt_node=${SLURMD_NODENAME:-${mt_s% *}}
mt_say hello "$mt_here ${SLURM_JOB_ID:-0} ${SLURM_STEP_ID:-0} $mt_node"
mt_right=
for mt_s in $mt_systems; do
  [ "$mt_s" = "$mt_here" ] && mt_right=1
done
[ -n "$mt_right" ] || exit 1

case $mt_cache in
"")
  if [ -n "$XDG_CACHE_HOME" ]; then mt_root=$XDG_CACHE_HOME/monarch-tui/bin
  elif [ -n "$HOME" ]; then mt_root=$HOME/.cache/monarch-tui/bin
  else mt_fail "there is no HOME to keep the program in; name a folder with cache=DIR"
  fi ;;
"~/"*)
  [ -n "$HOME" ] || mt_fail "there is no HOME for cache=$mt_cache; name a folder with cache=DIR"
  mt_root=$HOME/${mt_cache#"~/"} ;;
*) mt_root=$mt_cache ;;
esac
mt_folder=$mt_root/$mt_sum
mt_prog=$mt_folder/$mt_base
mt_new=$mt_folder/.new.$mt_nonce$mt_tag
mt_note=$mt_folder/.whole.$mt_node

# mt_tool finds what makes sums. openssl comes first: it uses what the processor has for this, and coreutils often does not (4 to 6
# times slower). Each is tried with the sum of nothing, because some are old, or forbid what is asked.
mt_summer=
mt_tool() {
  [ -z "$mt_summer" ] || return 0
  for mt_s in "openssl dgst -sha256 -r" "sha256sum" "shasum -a 256"; do
    case $($mt_s </dev/null 2>/dev/null) in
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855*) mt_summer=$mt_s; return 0 ;;
    esac
  done
  mt_fail "there is no sha256sum, shasum or openssl to verify the program with; install one"
}

# mt_whole FILE: is it what was sent?
mt_whole() {
  [ -f "$1" ] || return 1
  mt_tool
  mt_s=$($mt_summer <"$1" 2>/dev/null)
  [ "${mt_s%% *}" = "$mt_sum" ]
}

# mt_ours: may only this user use the folder? Others could change the program after it was verified. Not every shell has -O.
mt_ours() {
  set -- $(ls -ldn "$mt_folder" 2>/dev/null)
  case $1 in
  drwx------*) [ -O "$mt_folder" ] 2>/dev/null || [ "$3" = "$(id -u)" ] ;;
  *) false ;;
  esac
}

# A program that was verified here is not read again while it is the same file, untouched: a note has its device, inode, size and
# times, of which the kernel sets the last (ctime) whenever anybody writes to it, renames it or sets the others. The note counts only
# if this user wrote it, and until the machine starts anew, because of a crash nobody knows what it left on disk. Where there is no
# such word of the kernel's, or no such stat, the program is read each time.
mt_look() {
  mt_is=
  { IFS= read -r mt_s </proc/sys/kernel/random/boot_id; } 2>/dev/null || return 1
  mt_is="$mt_s $(stat -c '%d %i %s %y %z' "$mt_prog" 2>/dev/null)" || { mt_is=; return 1; }
}
mt_known() {
  mt_look && [ ! -h "$mt_note" ] && [ -O "$mt_note" ] 2>/dev/null || return 1
  mt_s=
  { IFS= read -r mt_s <"$mt_note"; } 2>/dev/null
  [ "$mt_s" = "$mt_is" ]
}
mt_remember() { [ -z "$mt_is" ] || { printf '%s\n' "$mt_is" >"$mt_note"; } 2>/dev/null; }

# mt_have: is the program there, and whole? What changes while it is read is not remembered.
mt_have() {
  mt_ours && [ -f "$mt_prog" ] || return 1
  mt_known && return 0
  mt_was=$mt_is
  mt_whole "$mt_prog" || return 1
  if mt_look && [ "$mt_is" = "$mt_was" ]; then mt_remember; fi
  return 0
}

# mt_ready makes the folder, and finds out before anything is copied whether a program can be kept and run there. Other hosts of the
# job may have the same folder, and look at it now: what is tried has the name of this one.
mt_ready() {
  mt_tool
  mt_e=$(mkdir -p "$mt_folder" 2>&1) || mt_fail "the folder $mt_folder cannot be made: $mt_e; name another with cache=DIR"
  mt_ours || mt_fail "others may use the folder $mt_folder, or it is another user's: remove it, or name another with cache=DIR"
  mt_try=$mt_new.$mt_index
  mt_e=$({ : >"$mt_try"; } 2>&1) || mt_fail "the folder $mt_folder cannot be written: $mt_e; name another with cache=DIR"
  chmod 0500 "$mt_try"
  [ -x "$mt_try" ] || { rm -f "$mt_try"; mt_fail "the folder $mt_folder is on a file system that runs no programs (noexec); name another with cache=DIR"; }
  rm -f "$mt_try"
}

# mt_accept: what has arrived becomes the program, if it is whole.
mt_accept() {
  mt_whole "$mt_new" || { rm -f "$mt_new"; return 1; }
  chmod 0500 "$mt_new" && mv -f "$mt_new" "$mt_prog" || return 1
  if mt_look; then mt_remember; fi
}

# mt_busy FOLDER: does it hold a build that runs? Whoever starts one leaves a note with the number of its process, which exec keeps.
mt_busy() {
  for mt_f in "$1"/.run.*; do
    [ -e "$mt_f" ] || continue
    mt_p=${mt_f##*.}
    if [ "${mt_f##*/}" = ".run.$mt_node.$mt_p" ]; then
      kill -0 "$mt_p" 2>/dev/null && return 0
      rm -f "$mt_f"
    elif [ -n "$(find "$mt_f" -mtime -7 2>/dev/null)" ]; then
      return 0
    fi
  done
  return 1
}

# mt_prune keeps the four newest builds, those that run, and what was used within the hour.
mt_prune() {
  mt_n=0
  for mt_d in $(ls -1t "$mt_root" 2>/dev/null); do
    case $mt_d in *[!0-9a-f]*) continue ;; esac
    [ ${#mt_d} = 64 ] || continue
    mt_n=$((mt_n + 1))
    [ $mt_n -gt 4 ] || continue
    [ -n "$(find "$mt_root/$mt_d" -prune -mmin +60 2>/dev/null)" ] || continue
    mt_busy "$mt_root/$mt_d" || rm -rf "${mt_root:?}/$mt_d"
  done
}

if [ "$mt_mode" = put ]; then
  if mt_have; then touch "$mt_folder" 2>/dev/null; mt_say have "$mt_prog"; exit 0; fi
  mt_ready
  mt_say need "$mt_prog"
  mt_e=$({ cat >"$mt_new"; } 2>&1) || { rm -f "$mt_new"; mt_fail "the program cannot be copied to $mt_folder: $mt_e; name another folder with cache=DIR"; }
  mt_accept || mt_fail "what arrived in $mt_folder is not what was sent: was the program built anew meanwhile? start it again"
  mt_prune
  mt_say put "$mt_prog"
  exit 0
fi

mt_need=
if mt_have; then mt_say have "$mt_prog"; else mt_ready; mt_need=1; mt_say need "$mt_prog"; fi
[ -z "$mt_need" ] && [ -n "$mt_alone" ] || { IFS= read -r mt_go && [ "$mt_go" = go ]; } || exit 1
if [ -n "$mt_need" ]; then
  [ -f "$mt_new" ] && mt_accept
  mt_have || mt_fail "the program has not arrived whole in $mt_folder; start it again, or name another folder with cache=DIR"
  mt_prune
fi
mt_busy "$mt_folder"
{ : >"$mt_folder/.run.$mt_node.$$"; } 2>/dev/null
{ [ -n "$mt_dir" ] && CDPATH= cd -- "$mt_dir" 2>/dev/null; } || { [ -n "$HOME" ] && CDPATH= cd -- "$HOME" 2>/dev/null; } || cd /
umask "$mt_mask"
MONARCH_AGENT=$mt_env
export MONARCH_AGENT
mt_say start "$mt_prog"
exec "$mt_prog" "$@"
