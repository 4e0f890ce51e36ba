"""Plans: few records whose removal brings a metric to a target."""
