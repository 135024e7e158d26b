//! Reading CSV: numbers without a header.

/// Calls with the numbers of each line; empty lines are passed over.
///
/// # Errors
/// The line, counted from 1, and what is wrong with it.
pub(in crate::local::engines) fn rows(
    text: &[u8],
    mut each: impl FnMut(&[f32]) -> Result<(), String>,
) -> Result<(), String> {
    let mut row: Vec<f32> = Vec::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        row.clear();
        for field in line.split(|byte| *byte == b',') {
            let value = number(field).ok_or_else(|| format!("line {}: a field is no number", at + 1))?;
            row.push(value);
        }
        each(&row).map_err(|why| format!("line {}: {why}", at + 1))?;
    }
    Ok(())
}

/// A finite number, in quotes or not.
fn number(field: &[u8]) -> Option<f32> {
    let field = field.trim_ascii();
    let field = field.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(field);
    let value: f32 = std::str::from_utf8(field).ok()?.trim().parse().ok()?;
    value.is_finite().then_some(value)
}
