# The keeper of one server: starts it as often as it is told to, and when its standard input ends
# (the test dropped the server, ended, or was killed) ends the server and removes the folder.
#
#   sh keeper.sh FOLDER SIGNAL COMMAND…
#
# A line read is a start; the answer is the process id. SIGNAL is how the server is ended.
folder=$1 signal=$2
shift 2
server=
cd /

state() {
    state=
    { read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null
    [ -n "$state" ] && [ "$state" != Z ]
}

# Asked to end, it ends like at the end of its input.
trap 'exec </dev/null' HUP INT TERM

while read -r _; do
    "$@" </dev/null >>"$folder/log" 2>&1 &
    server=$!
    echo "$server"
done

if [ -n "$server" ] && state "$server"; then
    # Who stands still hears nothing. Unquoted: the kernel's list of its children.
    children=
    read -r children <"/proc/$server/task/$server/children"
    kill -CONT "$server" $children
    kill "-$signal" "$server"
    looks=0
    while state "$server" && [ "$looks" -lt 100 ]; do
        sleep 0.1
        looks=$((looks + 1))
    done
    kill -KILL "$server"
fi
# Not every machine's first process takes note of the dead it is left with.
wait
# A Postgres that was killed leaves this file, and with it a segment of shared memory.
if [ -f "$folder/data/postmaster.pid" ]; then
    segment=$(sed -n '7s/^ *[0-9]* *//p' "$folder/data/postmaster.pid")
    [ -z "$segment" ] || ipcrm -m "$segment"
fi
# A disk of its own, where it has one; lazily, for whoever still looks at it.
umount "$folder/data" 2>/dev/null || umount -l "$folder/data" 2>/dev/null || :
# What the server still had in hand may write into it while it is emptied.
tries=0
until rm -rf "$folder" || [ "$tries" -ge 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
