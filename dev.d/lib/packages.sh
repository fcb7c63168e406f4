# What the scripts need beside Rust: found missing, named, and installed on Debian and Ubuntu.

need_rust() {
  command -v cargo >/dev/null && return
  [[ -x $HOME/.cargo/bin/cargo ]] && PATH=$HOME/.cargo/bin:$PATH && return
  note "Rust is missing, the one thing to install by hand:"
  note "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh    (see https://rustup.rs)"
  exit 1
}

# need_packages THING…: returns when all are there, else installs them or exits 1.
# Things: java, javac, mvn, openssl, python3, venv, node (with npm), dot, chromium (with its driver), postgres, build (compiler, pkg-config and the C libraries that Cargo.lock asks for).
need_packages() {
  local packages
  packages=$(missing_packages "$@")
  [[ -z $packages ]] && return
  if ! is_debian; then
    die "missing: $packages (names as on Debian); install them and try again"
  fi
  note "missing packages; this installs them:"
  note "  $(install_line "$packages")"
  may_install || die "not installed"
  as_root apt-get -q update >&2 || note "apt-get update failed; trying with the package lists at hand"
  packages=$(missing_packages "$@") # which Java there is can only be told from fresh lists
  # shellcheck disable=SC2086  # a list of names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $packages >&2 ||
    die "apt-get install failed; install by hand: $(install_line "$packages")"
  hash -r
  packages=$(missing_packages "$@")
  [[ -z $packages ]] || die "still missing after the installation: $packages"
}

missing_packages() {
  local thing missing=()
  for thing in "$@"; do
    case $thing in
      java) java_is_new_enough || missing+=("$(java_package)") ;;
      javac) javac_is_new_enough || missing+=("$(javac_package)") ;;
      mvn) command -v mvn >/dev/null || missing+=(maven) ;;
      openssl) command -v openssl >/dev/null || missing+=(openssl) ;;
      node)
        node_is_new_enough || missing+=(nodejs)
        command -v npm >/dev/null || missing+=(npm)
        ;;
      postgres) [[ -n $(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null) ]] || command -v initdb >/dev/null || missing+=(postgresql) ;;
      chromium)
        command -v chromium >/dev/null || missing+=(chromium)
        command -v chromedriver >/dev/null || missing+=(chromium-driver)
        ;;
      dot) command -v dot >/dev/null || missing+=(graphviz) ;;
      python3) command -v python3 >/dev/null || missing+=(python3) ;;
      venv) python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv) ;;
      build)
        command -v cc >/dev/null && command -v c++ >/dev/null && command -v make >/dev/null || missing+=(build-essential)
        command -v pkg-config >/dev/null || missing+=(pkg-config)
        locked rdkafka-sys && ! has_library zlib && missing+=(zlib1g-dev)
        locked openssl-sys && ! has_library openssl && missing+=(libssl-dev)
        ;;
      *) die "need_packages: unknown thing $thing" ;;
    esac
  done
  echo "${missing[*]-}"
}

locked() { grep -qs "^name = \"$1\"$" "$ROOT/Cargo.lock"; }
has_library() { pkg-config --exists "$1" 2>/dev/null; }

# Kafka 4 brokers need Java 17.
JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
java_is_new_enough() {
  local major
  major=$("$JAVA" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p;' | sed -n 1p) || return 1
  ((${major:-0} >= 17))
}
java_package() { java_of jre; }

# The compiler, which a runtime has not. It need not be of the same installation: what it makes runs on Java 17.
javac() {
  local home=${JAVA_HOME:-/nowhere}/bin/javac
  if [[ -x $home ]]; then "$home" "$@"; else command javac "$@"; fi
}
javac_is_new_enough() {
  local major
  major=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p') || return 1
  ((${major:-0} >= 17))
}
javac_package() { java_of jdk; }

# Ubuntu 22.04's default is Java 11, Debian 13 no longer has 17: take 17 by name where it exists.
java_of() { # jre or jdk
  if apt-cache show "openjdk-17-$1-headless" >/dev/null 2>&1; then
    echo "openjdk-17-$1-headless"
  else
    echo "default-$1-headless"
  fi
}

# What judges our documents needs Node.js 18.
node_is_new_enough() {
  local major
  major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p') || return 1
  ((${major:-0} >= 18))
}

is_debian() {
  command -v apt-get >/dev/null && grep -Eqs '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}
as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }
install_line() { echo "$( ((EUID == 0)) || echo 'sudo ')apt-get install -y --no-install-recommends $1"; }

# Asks only somebody who can answer.
may_install() {
  if [[ -n ${KAFKAFLOW_DEV_YES:-} || ${CI:-} == true || ! -t 0 || ! -t 2 ]]; then return 0; fi
  local answer
  read -r -p "Install them now? [y/N] " answer </dev/tty 2>/dev/tty || return 1
  [[ $answer == [yY]* ]]
}
