mod exhaustive;
mod lookups;
