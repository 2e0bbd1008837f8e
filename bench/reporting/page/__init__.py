"""What people read: tables for the terminal and files for the results folder."""
