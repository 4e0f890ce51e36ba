"""The face: three tiles and the verdict, and the bars of the groups, as a component that moves in the browser."""
