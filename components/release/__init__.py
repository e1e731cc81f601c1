"""What leaves a run: the report, the registered model, the failure report."""
