"""Projects that a person has rearranged, written again: places, wires and text stay, parts and nets follow."""
