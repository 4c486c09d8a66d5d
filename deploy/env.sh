#!/bin/sh
# Writes .env for docker-compose.yml with random passwords, readable by its owner only. It never touches one that exists:
# PostgreSQL keeps the passwords of its first start, and another key secret would end every API key.
#
#   sh deploy/env.sh [FILE]     FILE is .env in the root of the repository when not given
set -eu
file=${1:-$(dirname "$0")/../.env}

# Hexadecimal, since the passwords stand in URLs.
random() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }

umask 077
set -C # do not write over a file, whoever makes it meanwhile
if ! cat >"$file" <<END
# Made by deploy/env.sh. Keep it with your backups: without WAYBILL_KEY_SECRET no API key opens anything any more.
POSTGRES_PASSWORD=$(random)
POSTGRES_WAYBILL_PASSWORD=$(random)
POSTGRES_TEMPORAL_PASSWORD=$(random)
WAYBILL_KEY_SECRET=$(random)
END
then
	echo "env.sh: $file was not written; one that exists is left as it is" >&2
	exit 1
fi
echo "wrote $file"
