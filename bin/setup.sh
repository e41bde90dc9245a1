# Sourced by every command in bin/: moves to the project's folder 
# and offers run_in_venv.

cd "$(dirname "$0")/.." || exit 1

# Version managers put names on the PATH that only say what is missing, so each one is tried.
usable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

base=
for candidate in .venv/bin/python python3.11 python3.12 python3.13 python3; do
    if usable "$candidate"; then
        base=$candidate
        break
    fi
done
if [ -z "$base" ]; then
    echo "error: Python 3.11, 3.12 or 3.13 is needed, and none is on the PATH." >&2
    exit 1
fi

# Becomes the module named first, in the project's environment, which is made or refreshed before.
# No shell stays in between: a signal to the command reaches the program itself.
run_in_venv() {
    exec "$base" -m local.venv "$@"
}
