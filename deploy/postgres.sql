-- The roles and databases of docker-compose.yml. The postgres image runs this once, in an empty data folder, as superuser.
-- Neither Waybill nor Temporal can read what is the other's.
\getenv waybill_password POSTGRES_WAYBILL_PASSWORD
\getenv temporal_password POSTGRES_TEMPORAL_PASSWORD
CREATE ROLE waybill LOGIN PASSWORD :'waybill_password';
CREATE DATABASE waybill OWNER waybill;
-- The sandbox gateways' books: somebody else's in earnest, so they do not share a database with ours.
CREATE DATABASE waybill_sandbox OWNER waybill;
REVOKE CONNECT, TEMPORARY ON DATABASE waybill, waybill_sandbox FROM PUBLIC;
-- temporal-sql-tool makes its databases itself.
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'temporal_password';
