#!/bin/sh
# Installs crxn on Debian 12 or newer, as root:
#
#   curl -fsSL {{url}}/install.sh | sh
#
# The binary's SHA-256 is compared with SHA256SUMS from the same place before anything is installed. Another place (a mirror,
# or one release instead of the newest) is said to the sh behind the pipe: curl ... | CRXN_URL=https://... sh
# Removed by: crxn down; rm /usr/local/bin/crxn
#
# Everything is in a function that the last line calls: of half a script, nothing is run.

set -eu

main() {
    url=${CRXN_URL:-{{url}}}
    url=${url%/}
    place=/usr/local/bin
    umask 077
    redirects='=https,http'
    case $url in
        https://*) redirects='=https' ;;
        *) echo "warning: $url is no https address: nothing says that what comes is what was sent" >&2 ;;
    esac

    [ "$(id -u)" = 0 ] || fail "this needs root" "Run it as root, or with sudo: ... | sudo sh"
    debian
    case $(uname -m) in
        x86_64 | amd64) machine=x86_64 ;;
        aarch64 | arm64) machine=aarch64 ;;
        *) fail "there is no crxn for $(uname -m)" "It is made for x86_64 and aarch64." ;;
    esac
    if dpkg-query -W -f '${db:Status-Status}\n' crxn 2>/dev/null | grep -qx installed; then
        fail "crxn is installed as a Debian package here" "Take the newer .deb (apt install ./crxn_...deb), or remove it first: apt remove crxn"
    fi
    if command -v curl >/dev/null; then
        get() { curl -fsSL --proto-redir "$redirects" --retry 2 --connect-timeout 20 -o "$2" "$1"; }
    elif command -v wget >/dev/null; then
        get() { wget -nv -t 3 -T 20 -O "$2" "$1" 2>"$2.log" || { cat "$2.log" >&2; return 1; }; }
    else
        fail "there is neither curl nor wget" "Install one: apt-get install curl ca-certificates"
    fi

    # On the same file system as its place, so that it gets there in one step; gone again whatever happens.
    install -d -m 0755 "$place"
    folder=$(mktemp -d "$place/.crxn-XXXXXX")
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    get "$url/SHA256SUMS" "$folder/SHA256SUMS" || fail "$url/SHA256SUMS cannot be fetched" "Is this machine online? CRXN_URL names another place."
    name=$(sed -n "s/^[0-9a-f]\{64\}  \(crxn-[0-9][0-9A-Za-z.+-]*-$machine\)\$/\1/p" "$folder/SHA256SUMS")
    case $name in
        crxn-*[!0-9A-Za-z._+-]* | "") fail "$url/SHA256SUMS names no crxn for $machine, or several" "Is $url the place of a release?" ;;
    esac
    echo "fetching $url/$name" >&2
    get "$url/$name" "$folder/$name" || fail "$url/$name cannot be fetched" "Try again; or CRXN_URL names another place."
    sum=$(sed -n "s/^\([0-9a-f]*\)  $name\$/\1/p" "$folder/SHA256SUMS")
    [ "$(sha256sum <"$folder/$name")" = "$sum  -" ] ||
        fail "$name is not what SHA256SUMS says" "It was cut off on its way, or somebody has changed it. Do not use it; try again later."
    chmod 0755 "$folder/$name"
    version=$("$folder/$name" --version) || fail "$name does not run on this machine" "What it says is above."
    sync "$folder/$name"
    mv -fT "$folder/$name" "$place/crxn"

    echo "$version is installed: $place/crxn

Next:
    crxn --help          # what it can do
    crxn init            # asks, and writes /etc/crxn/crxn.yaml
    crxn up --dry-run    # what it would do
    crxn up"
}

debian() {
    # In a process of its own: os-release sets what it likes.
    # shellcheck source=/dev/null
    release=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}") || release=
    case $release in
        "debian "[0-9]*) 
            release=${release#debian }
            [ "${release%%.*}" -ge 12 ] || fail "this is Debian $release" "crxn needs Debian 12 or newer."
            ;;
        # Testing and unstable have no number.
        "debian ") ;;
        *) fail "this is not Debian" "crxn needs Debian 12 or newer." ;;
    esac
}

fail() {
    echo "crxn was not installed: $1." >&2
    echo "$2" >&2
    exit 1
}

main "$@"
