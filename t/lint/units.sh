#!/bin/sh
# The systemd units pass systemd-analyze verify, with the paths they would have when installed.
echo "1..1"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/bin"
printf '#!/bin/sh\n' >"$dir/bin/program"
chmod +x "$dir/bin/program"
for unit in pilothouse@.socket pilothouse@.service pilothouse-job@.service pilothouse-run@.service pilothouse-verify.service; do
	# Programs that are installed only later are replaced by one that exists, and users by one
	# that does.
	sed -e "s,^ExecStart=/usr/bin/multiwatch,ExecStart=$dir/bin/program," \
		-e "s,^ExecStart=.*/pilothouse ,ExecStart=$dir/bin/program ," \
		-e "s,^ExecStart=.*/job-%i,ExecStart=$dir/bin/program," \
		-e 's,=pilothouse$,=root,' "$PH_BUILDDIR/systemd/$unit" >"$dir/$unit"
done
cp "$PH_SRCDIR/systemd/pilothouse-verify.timer" "$PH_SRCDIR/systemd/pilothouse-readmodel.timer" "$dir"
if out=$(SYSTEMD_UNIT_PATH=$dir: systemd-analyze verify --man=no "$dir/pilothouse@dashboard-queue.service" \
	"$dir/pilothouse@dashboard-queue.socket" "$dir/pilothouse-job@retention.service" "$dir/pilothouse-verify.service" "$dir/pilothouse-verify.timer" \
	"$dir/pilothouse-run@readmodel.service" "$dir/pilothouse-readmodel.timer" 2>&1) &&
	! echo "$out" | grep -q "$dir\|pilothouse"; then
	echo "ok 1 - systemd-analyze verify"
else
	echo "not ok 1 - systemd-analyze verify"
	echo "$out" | sed 's/^/# /'
	exit 1
fi
