# shellcheck shell=bash
# apt apart from the system's: a state folder of its own in the cache, the suites of one kernel
# series, Debian's archive keys, and the mirror that the system's own sources name.

# mirror LABEL DEFAULT: where the system itself takes Debian's packages from
mirror() {
	local found
	found=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v label="$1" '$1 == label { print $2; exit }') || true
	printf '%s' "${found:-$2}"
}

# apt_open SERIES|SUITE: fetches the package lists; sets apt_options, apt_suites, apt_log
apt_open() {
	local suite uri state=$cache/apt/$1
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	case $1 in
	6.1) apt_suites='bookworm bookworm-security' ;;
	6.12) apt_suites='bookworm-backports' ;;
	trixie | sid) apt_suites=$1 ;;
	*) stop "there is no kernel $1, only 6.1 and 6.12" ;;
	esac
	need apt-get apt
	need dpkg-deb dpkg
	[ -e "$keyring" ] || stop "$keyring is missing; run: apt-get install debian-archive-keyring"
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	for suite in $apt_suites; do
		case $suite in
		*-security) uri=$(mirror Debian-Security http://deb.debian.org/debian-security) ;;
		*) uri=$(mirror Debian http://deb.debian.org/debian) ;;
		esac
		echo "deb [arch=amd64 signed-by=$keyring] $uri $suite main"
	done >"$state/sources.list"
	apt_options=(
		-o APT::Architecture=amd64 -o APT::Architectures::=amd64
		-o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
		-o "Dir::State=$state" -o "Dir::State::Lists=$state/lists"
		-o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache"
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2
	)
	apt_log=$state/log
	apt-get "${apt_options[@]}" update >"$apt_log" 2>&1 && ! grep -q '^[EW]: .*[Ff]ail' "$apt_log" || {
		tail -n 5 "$apt_log" >&2
		stop "no package lists of $apt_suites: is there a network?"
	}
}

# apt_depends PACKAGE PATTERN: the name of the one dependency that matches
apt_depends() {
	apt-cache "${apt_options[@]}" show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Depends: //p' |
		tr ',|' '\n\n' | awk '{ print $1 }' | grep -E -m 1 "$2" ||
		stop "$1 of $apt_suites has no dependency like $2"
}

# apt_unpack FOLDER PACKAGE...: downloads packages, checked by apt, and unpacks them there
apt_unpack() {
	local folder=$1 debs deb
	shift
	debs=$(mktemp -d "$cache/debs.XXXXXX")
	(cd "$debs" && apt-get "${apt_options[@]}" download "$@") >"$apt_log" 2>&1 || {
		tail -n 5 "$apt_log" >&2
		rm -rf "$debs"
		stop "could not download $*"
	}
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$folder"
	done
	rm -rf "$debs"
}

# apt_unpack_all FOLDER PACKAGE...: as apt_unpack, with everything they depend on
apt_unpack_all() {
	local folder=$1 deb
	shift
	apt-get "${apt_options[@]}" install -y --no-install-recommends --download-only "$@" \
		>"$apt_log" 2>&1 || {
		tail -n 5 "$apt_log" >&2
		stop "could not download $*"
	}
	for deb in "$cache/apt/${apt_suites}/cache/archives"/*.deb; do
		dpkg-deb -x "$deb" "$folder"
	done
	apt-get "${apt_options[@]}" clean
}
