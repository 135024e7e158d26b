//! Content types that the container knows.

/// The formats that a content type of the container stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Libsvm,
    Parquet,
    RecordIo,
}

/// What the container lists when it refuses a type.
pub(super) const KNOWN: [&str; 9] = [
    "csv",
    "libsvm",
    "parquet",
    "recordio-protobuf",
    "text/csv",
    "text/libsvm",
    "text/x-libsvm",
    "application/x-parquet",
    "application/x-recordio-protobuf",
];

/// The format that a content type declares (`get_content_type` in the container's `data_utils.py`): libsvm if nothing
/// is declared; the parameter `label_size` of CSV must be 1.
///
/// # Errors
/// The container's sentence.
pub(super) fn format(declared: Option<&str>) -> Result<Format, String> {
    let Some(declared) = declared else { return Ok(Format::Libsvm) };
    let lower = declared.to_ascii_lowercase();
    let mut parts = lower.split(';').map(str::trim);
    match parts.next().unwrap_or_default() {
        "csv" | "text/csv" => {
            let label_size =
                parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim() == "label_size");
            match label_size {
                Some((_, size)) if size.trim().trim_matches('"') != "1" => Err(format!(
                    "{declared} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
                )),
                _ => Ok(Format::Csv),
            }
        }
        "libsvm" | "text/libsvm" | "text/x-libsvm" => Ok(Format::Libsvm),
        "parquet" | "application/x-parquet" => Ok(Format::Parquet),
        "recordio-protobuf" | "application/x-recordio-protobuf" => Ok(Format::RecordIo),
        _ => Err(format!("{declared} is not an accepted ContentType: {}.", KNOWN.join(", "))),
    }
}
