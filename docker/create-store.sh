#!/bin/bash
# Run once by the postgres image, when its volume is new: a user and a database of Flux's own beside Airflow's.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
    --set password="$FLUX_STORE_PASSWORD" <<'SQL'
CREATE USER flux PASSWORD :'password';
CREATE DATABASE flux OWNER flux;
SQL
