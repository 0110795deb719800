"""What connectors to HTTP APIs share: from an Airflow connection to a client, and what is declared of a vendor."""
