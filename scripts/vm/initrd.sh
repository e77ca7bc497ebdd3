# shellcheck shell=bash
# make_initrd FOLDER: FOLDER/initrd.img for the kernel that is unpacked there
make_initrd() {
	local folder=$1 version temporary module file name
	local image=$folder/initrd.img
	[ "$image" -nt "$here/guest/init" ] && [ "$image" -nt "$here/initrd.sh" ] && return
	need cpio cpio
	need modprobe kmod
	[ -x /bin/busybox ] || stop 'busybox is missing; run: apt-get install busybox-static'
	version=$(cat "$folder/complete")
	[ -e "$folder/lib/modules/$version/modules.dep" ] || depmod -b "$folder" "$version"
	temporary=$(mktemp -d)
	mkdir -p "$temporary/bin" "$temporary/modules"
	cp /bin/busybox "$temporary/bin/busybox"
	cp "$here/guest/init" "$temporary/init"
	for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
		# in the order of their dependencies; what is built in says so and is left out
		modprobe -d "$folder" -S "$version" --show-depends --ignore-install "$module" |
			awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++' | while read -r file; do
		name=$(basename "$file")
		case $name in
		*.xz) xz -dc "$file" >"$temporary/modules/${name%.xz}" ;;
		*.zst) zstd -dqc "$file" >"$temporary/modules/${name%.zst}" ;;
		*) cp "$file" "$temporary/modules/$name" ;;
		esac
		name=${name%.xz}
		echo "${name%.zst}"
	done >"$temporary/modules/order"
	(cd "$temporary" && find . | cpio -o -H newc --quiet) >"$image.$$"
	mv "$image.$$" "$image"
	rm -rf "$temporary"
}
