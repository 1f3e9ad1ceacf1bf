"""The benchmarks without a lab: catalogues, rows and tables."""
