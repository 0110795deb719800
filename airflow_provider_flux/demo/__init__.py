"""The demo: two small HTTP APIs, a database and a real Airflow that moves records between them."""
