"""Files that users uploaded, made into what pages show: pictures, recordings and documents."""
