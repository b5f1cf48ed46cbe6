#!/usr/bin/env bash
# A real Blender with a window, on a machine that has no display, no GPU and an
# older Debian than the Blender wanted.  Root only; needs nothing but the Debian
# mirror that apt already uses.
#
#   blender_gui.sh setup trixie|sid DIR      build the chroot (again: a no-op)
#   blender_gui.sh run   DIR -- blender ...  virtual screen + Blender; its exit status
#   blender_gui.sh exec  DIR -- xdotool ...  a command on the screen of a running `run`
#   blender_gui.sh shot  DIR FILE.png        picture of that screen
#   blender_gui.sh stop  DIR                 ends a running `run`
#
# Environment:
#   BLENDER_GUI_BIND    folders (colon-separated) seen inside at the same path
#   BLENDER_GUI_SIZE    screen, default 1600x900
#   BLENDER_GUI_MIRROR  mirror; default: the one of the machine's own apt
#   BLENDER_GUI_HOME    HOME inside the chroot, default that of root
set -euo pipefail

me=$(basename "$0")
die() { echo "$me: $*" >&2; exit 2; }

PACKAGES=(blender xvfb xauth xdotool x11-utils imagemagick ffmpeg
          libgl1 libgl1-mesa-dri libglx-mesa0 libegl1 libxkbcommon0
          mesa-vulkan-drivers python3-numpy python3-requests python3-zstandard python3-cattr
          ca-certificates fonts-dejavu-core openbox procps)

mirror() {
  if [ -n "${BLENDER_GUI_MIRROR:-}" ]; then echo "$BLENDER_GUI_MIRROR"; return; fi
  local uri
  uri=$(apt-get indextargets --format '$(SITE) $(REPO_URI)' 2>/dev/null \
        | awk '$2 ~ /\/debian\/?$/ {print $2; exit}')
  [ -n "$uri" ] || die "apt names no Debian mirror; set BLENDER_GUI_MIRROR"
  echo "$uri"
}

# Everything that is mounted is mounted in a mount namespace of its own, which
# the kernel takes down with the last process in it: nothing is left behind even
# after a kill -9.
# `enter` becomes the command (so that `enter ... &` leaves its own process id in
# $!); `inside` comes back.
inside() { ( enter "$@" ); }
enter() {  # enter DIR cmd...
  local dir=$1; shift
  BLENDER_GUI_ROOT=$dir exec setpriv --pdeathsig TERM unshare --mount --propagation private -- bash -c '
    set -euo pipefail
    r=$BLENDER_GUI_ROOT
    mount -t proc proc "$r/proc"
    mount --rbind /sys "$r/sys"
    mount --rbind /dev "$r/dev"
    mountpoint -q "$r/dev/shm" || mount -t tmpfs tmpfs "$r/dev/shm"
    IFS=: read -ra binds <<<"${BLENDER_GUI_BIND:-}"
    for b in "${binds[@]}"; do
      [ -n "$b" ] || continue
      b=$(realpath -e "$b"); mkdir -p "$r$b"; mount --rbind "$b" "$r$b"
    done
    exec chroot "$r" /usr/bin/env -i \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      HOME="${BLENDER_GUI_HOME:-/root}" LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" \
      LIBGL_ALWAYS_SOFTWARE=1 GALLIUM_DRIVER=llvmpipe XDG_RUNTIME_DIR=/run/user-0 \
      ${DISPLAY_IN:+DISPLAY=$DISPLAY_IN} "$@"
  ' bash "$@"
}

setup() {
  local suite=$1 dir=$2 url want
  want=$(printf '%s\n' "$suite" "${PACKAGES[@]}" | sha256sum | cut -c1-12)
  if [ "$(sed -n 2p "$dir/.blender-gui-ready" 2>/dev/null)" = "$want" ]; then
    echo "$me: $dir is ready ($(head -1 "$dir/.blender-gui-ready"))"; return
  fi
  url=$(mirror)
  if [ ! -e "$dir/.blender-gui-base" ]; then
    command -v debootstrap >/dev/null || apt-get install -y --no-install-recommends debootstrap
    # a half-made tree is thrown away; never one that something is still mounted in
    if [ -e "$dir" ]; then
      grep -q " $(realpath "$dir")/" /proc/self/mounts && die "something is mounted under $dir"
      [ -z "$(ls -A "$dir")" ] || [ -d "$dir/debootstrap" ] || die "$dir is not empty and not mine"
      rm -rf --one-file-system "$dir"
    fi
    mkdir -p "$dir"
    debootstrap --variant=minbase "$suite" "$dir" "$url"
    echo "$suite" >"$dir/.blender-gui-base"
  fi
  [ "$(cat "$dir/.blender-gui-base")" = "$suite" ] || die "$dir holds $(cat "$dir/.blender-gui-base"), not $suite"
  dir=$(realpath "$dir")
  cp -L /etc/resolv.conf "$dir/etc/resolv.conf" 2>/dev/null || true
  cp -L /etc/hosts "$dir/etc/hosts" 2>/dev/null || true
  echo "deb $url $suite main" >"$dir/etc/apt/sources.list"
  cat >"$dir/etc/apt/apt.conf.d/90blender-gui" <<'CONF'
APT::Install-Recommends "0";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
Acquire::Retries "3";
CONF
  printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"; chmod +x "$dir/usr/sbin/policy-rc.d"
  printf 'path-exclude=/usr/share/%s/*\n' doc man locale >"$dir/etc/dpkg/dpkg.cfg.d/90blender-gui"
  inside "$dir" apt-get update -q
  inside "$dir" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "${PACKAGES[@]}"
  inside "$dir" apt-get clean
  ln -sf /proc/self/mounts "$dir/etc/mtab"   # else: "could not get a list of mounted file-systems"
  mkdir -p "$dir/run/user-0"; chmod 700 "$dir/run/user-0"
  { inside "$dir" blender --version | sed -n 1p; echo "$want"; } >"$dir/.blender-gui-ready.tmp"
  mv "$dir/.blender-gui-ready.tmp" "$dir/.blender-gui-ready"
  echo "$me: $dir: $(head -1 "$dir/.blender-gui-ready")"
}

need_ready() { [ -e "$1/.blender-gui-ready" ] || die "$1 is not set up (run: $me setup trixie|sid $1)"; }
state() { echo "$1/run/blender-gui"; }

# The number of the screen of a running `run`, or failure.
display_of() {
  local f; f="$(state "$1")/display"
  [ -s "$f" ] || return 1
  [ -S "$1/tmp/.X11-unix/X$(cat "$f")" ] || return 1
  cat "$f"
}

run() {
  local dir=$1; shift
  local n status=0 size=${BLENDER_GUI_SIZE:-1600x900}
  st=$(state "$dir") x="" wm=""     # not local: the trap below outlives this function
  mkdir -p "$st" "$dir/run/user-0" "$dir/tmp/.X11-unix"; chmod 1777 "$dir/tmp" "$dir/tmp/.X11-unix"; chmod 700 "$dir/run/user-0"
  exec 9>"$st/lock"; flock -n 9 || die "a run is already going on in $dir"
  rm -f "$st/display" "$st/blender.pid"
  # shellcheck disable=SC2317
  cleanup() {
    trap - EXIT INT TERM
    [ -s "$st/blender.pid" ] && kill "$(cat "$st/blender.pid")" 2>/dev/null || true
    [ -n "$wm" ] && kill "$wm" 2>/dev/null || true
    [ -n "$x" ] && { kill "$x" 2>/dev/null; wait "$x" 2>/dev/null; } || true
    rm -f "$st/display" "$st/blender.pid"
  }
  trap cleanup EXIT; trap 'cleanup; exit 130' INT; trap 'cleanup; exit 143' TERM
  # -displayfd: Xvfb takes the first free number and writes it once it accepts clients.
  enter "$dir" Xvfb -displayfd 3 -screen 0 "${size}x24" -nolisten tcp -noreset -ac +extension GLX \
      3>"$st/display.tmp" >"$st/xvfb.log" 2>&1 9>&- &
  x=$!
  for _ in $(seq 100); do
    [ -s "$st/display.tmp" ] && break
    kill -0 "$x" 2>/dev/null || { cat "$st/xvfb.log" >&2; die "Xvfb did not start"; }
    sleep 0.1
  done
  [ -s "$st/display.tmp" ] || die "Xvfb gave no screen number in 10 s"
  n=$(tr -d '\n' <"$st/display.tmp"); rm -f "$st/display.tmp"
  # A window manager: without one Blender's window gets no focus and is not maximised.
  if [ "${BLENDER_GUI_WM:-openbox}" != none ]; then
    DISPLAY_IN=":$n" enter "$dir" "${BLENDER_GUI_WM:-openbox}" 9>&- >"$st/wm.log" 2>&1 &
    wm=$!
  fi
  printf '%s' "$n" >"$st/display"
  DISPLAY_IN=":$n" enter "$dir" "$@" 9>&- &
  echo $! >"$st/blender.pid"
  wait "$(cat "$st/blender.pid")" || status=$?
  rm -f "$st/blender.pid"
  return "$status"
}

case "${1:-}" in
  setup) [ $# = 3 ] || die "setup trixie|sid DIR"; setup "$2" "$3" ;;
  run|exec)
    verb=$1; dir=${2:-}; [ "${3:-}" = -- ] && [ $# -ge 4 ] || die "$verb DIR -- command ..."
    dir=$(realpath -e "$dir"); need_ready "$dir"; shift 3
    if [ "$verb" = run ]; then run "$dir" "$@"
    else n=$(display_of "$dir") || die "no screen is up in $dir"; DISPLAY_IN=":$n" inside "$dir" "$@"; fi ;;
  shot)
    [ $# = 3 ] || die "shot DIR FILE.png"
    dir=$(realpath -e "$2"); need_ready "$dir"; n=$(display_of "$dir") || die "no screen is up in $dir"
    DISPLAY_IN=":$n" inside "$dir" import -silent -window root png:- >"$3.part"; mv "$3.part" "$3" ;;
  stop)
    [ $# = 2 ] || die "stop DIR"
    dir=$(realpath -e "$2"); f="$(state "$dir")/blender.pid"
    if [ -s "$f" ]; then kill "$(cat "$f")" 2>/dev/null || true; fi ;;
  *) sed -n '2,/^set -e/p' "$0" | sed -n 's/^# \{0,1\}//p' >&2; exit 2 ;;
esac
