"""The scorecard beside optbinning."""
