"""Display: how a table and a picture look."""
