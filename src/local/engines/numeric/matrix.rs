//! Rows of numbers, dense or sparse.

/// Rows of equal width. All are dense or all are sparse.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::local::engines) struct Matrix {
    columns: usize,
    /// Where each row begins, and the end.
    starts: Vec<usize>,
    /// The column of each value, ascending in a row; `None` if every row gives every column.
    indices: Option<Vec<u32>>,
    values: Vec<f32>,
}

/// The most columns of sparse rows: engines hold memory for each, and the width is just a number in a record.
pub(in crate::local::engines) const MAX_SPARSE_COLUMNS: usize = 1 << 24;

/// The most numbers that sparse rows become when they are made dense.
const MAX_MADE_DENSE: usize = 1 << 26;

/// One row.
#[derive(Debug, Clone, Copy)]
pub(in crate::local::engines) struct Row<'a> {
    indices: Option<&'a [u32]>,
    values: &'a [f32],
}

impl Matrix {
    /// No rows yet; a number of columns that is not given is that of the first row.
    pub(in crate::local::engines) fn new(columns: Option<usize>) -> Self {
        Self { columns: columns.unwrap_or(0), starts: vec![0], indices: None, values: Vec::new() }
    }

    pub(in crate::local::engines) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub(in crate::local::engines) fn columns(&self) -> usize {
        self.columns
    }

    pub(in crate::local::engines) fn is_sparse(&self) -> bool {
        self.indices.is_some()
    }

    pub(in crate::local::engines) fn row(&self, at: usize) -> Row<'_> {
        let range = self.starts[at]..self.starts[at + 1];
        Row { indices: self.indices.as_ref().map(|indices| &indices[range.clone()]), values: &self.values[range] }
    }

    pub(in crate::local::engines) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows()).map(|at| self.row(at))
    }

    /// Adds a row that gives every column.
    ///
    /// # Errors
    /// What is wrong with its width.
    pub(in crate::local::engines) fn push_dense(&mut self, row: &[f32]) -> Result<(), String> {
        self.fit(row.len())?;
        if row.len() != self.columns {
            return Err(format!("a row has {} features, {} are expected", row.len(), self.columns));
        }
        match &mut self.indices {
            None => self.values.extend_from_slice(row),
            Some(indices) => {
                let present = (0u32..).zip(row).filter(|(_, value)| **value != 0.0);
                for (column, value) in present {
                    indices.push(column);
                    self.values.push(*value);
                }
            }
        }
        self.starts.push(self.values.len());
        Ok(())
    }

    /// Adds a row that gives the values of some columns, in any order; `width` is how many columns it says there are.
    ///
    /// # Errors
    /// A column is out of range or named twice, or the width differs.
    pub(in crate::local::engines) fn push_sparse(
        &mut self,
        width: usize,
        keys: &[u64],
        row: &[f32],
    ) -> Result<(), String> {
        if width > MAX_SPARSE_COLUMNS {
            return Err(format!(
                "a row says that it has {width} features; the local engine takes {MAX_SPARSE_COLUMNS}"
            ));
        }
        self.fit(width)?;
        if width != self.columns {
            return Err(format!("a row has {width} features, {} are expected", self.columns));
        }
        if keys.len() != row.len() {
            return Err(format!("a row has {} keys but {} values", keys.len(), row.len()));
        }
        let mut pairs: Vec<(u32, f32)> = Vec::with_capacity(keys.len());
        for (key, value) in keys.iter().zip(row) {
            match u32::try_from(*key) {
                Ok(column) if (column as usize) < self.columns => pairs.push((column, *value)),
                _ => return Err(format!("key {key} is out of range: there are {} features", self.columns)),
            }
        }
        pairs.sort_by_key(|(column, _)| *column);
        if let Some(pair) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("key {} is given twice in a row", pair[0].0));
        }
        self.make_sparse();
        if let Some(indices) = &mut self.indices {
            indices.extend(pairs.iter().map(|(column, _)| *column));
        }
        self.values.extend(pairs.iter().map(|(_, value)| *value));
        self.starts.push(self.values.len());
        Ok(())
    }

    /// All values, row after row.
    ///
    /// # Errors
    /// There would be more than `limit` values.
    pub(in crate::local::engines) fn to_dense(&self, limit: usize) -> Result<Vec<f32>, String> {
        let limit = if self.is_sparse() { limit.min(MAX_MADE_DENSE) } else { limit };
        let size = self.rows().checked_mul(self.columns).filter(|size| *size <= limit);
        let Some(size) = size else {
            return Err(format!("{} rows of {} features are too many to be held dense", self.rows(), self.columns));
        };
        if self.indices.is_none() {
            return Ok(self.values.clone());
        }
        let mut out = vec![0.0; size];
        for at in 0..self.rows() {
            let place = &mut out[at * self.columns..(at + 1) * self.columns];
            self.row(at).each(|column, value| place[column] = value);
        }
        Ok(out)
    }

    /// The rows of some numbers, in that order.
    pub(in crate::local::engines) fn select(&self, rows: &[usize]) -> Self {
        let mut out = Self { columns: self.columns, starts: vec![0], indices: None, values: Vec::new() };
        if self.indices.is_some() {
            out.indices = Some(Vec::new());
        }
        for at in rows {
            let row = self.row(*at);
            out.values.extend_from_slice(row.values);
            if let (Some(to), Some(from)) = (&mut out.indices, row.indices) {
                to.extend_from_slice(from);
            }
            out.starts.push(out.values.len());
        }
        out
    }

    /// The same rows with each value that is there replaced; `change` is given its column and the value.
    pub(in crate::local::engines) fn map(&self, change: impl Fn(usize, f32) -> f32) -> Self {
        let mut out = self.clone();
        for at in 0..self.rows() {
            let range = self.starts[at]..self.starts[at + 1];
            let mut place = range.start;
            self.row(at).each(|column, value| {
                out.values[place] = change(column, value);
                place += 1;
            });
        }
        out
    }

    /// Whether a value is not finite.
    pub(in crate::local::engines) fn has_strange_values(&self) -> bool {
        self.values.iter().any(|value| !value.is_finite())
    }

    fn fit(&mut self, width: usize) -> Result<(), String> {
        if self.columns == 0 {
            if width == 0 {
                return Err("a row has no features".to_owned());
            }
            self.columns = width;
        }
        Ok(())
    }

    fn make_sparse(&mut self) {
        if self.indices.is_some() {
            return;
        }
        let (mut indices, mut values, mut starts) = (Vec::new(), Vec::new(), vec![0]);
        for row in self.values.chunks_exact(self.columns.max(1)) {
            for (column, value) in (0u32..).zip(row).filter(|(_, value)| **value != 0.0) {
                indices.push(column);
                values.push(*value);
            }
            starts.push(values.len());
        }
        (self.indices, self.values, self.starts) = (Some(indices), values, starts);
    }
}

impl Row<'_> {
    /// Calls with each column and its value; columns that a sparse row does not name are left out.
    pub(in crate::local::engines) fn each(&self, mut visit: impl FnMut(usize, f32)) {
        match self.indices {
            None => self.values.iter().enumerate().for_each(|(column, value)| visit(column, *value)),
            Some(indices) => {
                indices.iter().zip(self.values).for_each(|(column, value)| visit(*column as usize, *value));
            }
        }
    }

    /// The product with a vector that has a number for each column.
    pub(in crate::local::engines) fn dot(&self, with: &[f64]) -> f64 {
        let mut sum = 0.0;
        match self.indices {
            None => self.values.iter().zip(with).for_each(|(value, other)| sum += f64::from(*value) * other),
            Some(_) => self.each(|column, value| sum += f64::from(value) * with[column]),
        }
        sum
    }
}
