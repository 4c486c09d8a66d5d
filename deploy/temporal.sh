#!/bin/sh
# Prepares Temporal, in the image temporalio/admin-tools; docker-compose.yml has the variables.
#
#   temporal.sh schema      makes both databases and brings their tables to the version of this image
#   temporal.sh namespace   makes the namespace, once the server serves
#
# To run either again is harmless. With an image of a newer version, schema is the upgrade of the tables: run it before
# the server of that version starts.
set -eu

# schema_of brings one database to the newest of the schemas that the tool carries.
schema_of() {
	temporal-sql-tool --db "$1" create-database
	temporal-sql-tool --db "$1" setup-schema --version 0.0
	temporal-sql-tool --db "$1" update-schema --schema-name "$2"
}

schema() {
	schema_of "$TEMPORAL_DATABASE" postgresql/v12/temporal
	schema_of "$TEMPORAL_VISIBILITY_DATABASE" postgresql/v12/visibility
}

# eventually repeats a question for a minute.
eventually() {
	attempts=60
	until answer=$("$@" 2>&1); do
		attempts=$((attempts - 1))
		if [ "$attempts" -le 0 ]; then
			echo "temporal.sh: in vain: $*: $answer" >&2
			exit 1
		fi
		sleep 1
	done
}

# namespace leaves one that exists as it is: somebody may have changed how long its runs are kept.
namespace() {
	eventually temporal operator cluster health
	if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
		echo "Namespace $TEMPORAL_NAMESPACE exists."
	else
		temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
	fi
	# For some seconds the server does not know yet what it has just made.
	eventually temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"
}

case "${1:-}" in
schema | namespace) "$1" ;;
*)
	echo "usage: temporal.sh schema | namespace" >&2
	exit 2
	;;
esac
