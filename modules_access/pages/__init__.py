"""What people see: the catalogue of modules, one module, and /encours."""
