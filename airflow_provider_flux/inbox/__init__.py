"""What people do with records that did not arrive: deliver them again, correct, approve or discard them."""
