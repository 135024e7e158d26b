//! Expressions as they are written.

/// An expression that has been read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::local::services::cloudwatch) enum Expression {
    Number(f64),
    Text(String),
    /// The identifier of a query, or a word such as `REPEAT`.
    Name(String),
    Negated(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    List(Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local::services::cloudwatch) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// How deep expressions may be nested.
const MAX_DEPTH: usize = 40;

/// The operators of each rank, the weakest first; longer ones before those that they begin with.
const RANKS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or), ("OR", Operator::Or)],
    &[("&&", Operator::And), ("AND", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Expression {
    /// Reads an expression; the text says what is wrong.
    pub(in crate::local::services::cloudwatch) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text, depth: 0 };
        let expression = parser.of_rank(0)?;
        match parser.rest.trim().is_empty() {
            true => Ok(expression),
            false => Err(parser.error()),
        }
    }
}

impl Parser<'_> {
    fn error(&self) -> String {
        match self.rest.trim().is_empty() {
            true => "Unexpected end of the expression".to_owned(),
            false => format!("Unexpected text at \"{}\"", self.rest.trim().chars().take(20).collect::<String>()),
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some(tail) = rest.strip_prefix(token) else { return false };
        // A word such as AND must end where it ends.
        let word = token.bytes().all(|byte| byte.is_ascii_alphabetic());
        if word && tail.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            return false;
        }
        self.rest = tail;
        true
    }

    fn of_rank(&mut self, rank: usize) -> Result<Expression, String> {
        let Some(operators) = RANKS.get(rank) else { return self.power() };
        let mut left = self.of_rank(rank + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(token, _)| self.take(token)) {
            let right = self.of_rank(rank + 1)?;
            left = Expression::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Expression, String> {
        let base = self.single()?;
        if !self.take("^") {
            return Ok(base);
        }
        self.deeper(|parser| {
            let exponent = parser.power()?;
            Ok(Expression::Binary(Operator::Power, Box::new(base), Box::new(exponent)))
        })
    }

    fn deeper(&mut self, parse: impl FnOnce(&mut Self) -> Result<Expression, String>) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("The expression is nested too deeply".to_owned());
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn single(&mut self) -> Result<Expression, String> {
        if self.take("-") {
            return self.deeper(|parser| Ok(Expression::Negated(Box::new(parser.single()?))));
        }
        if self.take("(") {
            let inner = self.deeper(|parser| parser.of_rank(0))?;
            return if self.take(")") { Ok(inner) } else { Err(self.error()) };
        }
        if self.take("[") {
            return Ok(Expression::List(self.items("]")?));
        }
        let rest = self.rest.trim_start();
        if let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            let (text, tail) = rest[1..].split_once(quote).ok_or_else(|| "A text is not closed".to_owned())?;
            self.rest = tail;
            return Ok(Expression::Text(text.to_owned()));
        }
        let end = rest.find(|next: char| !(next.is_ascii_alphanumeric() || next == '_' || next == '.'));
        let (word, tail) = rest.split_at(end.unwrap_or(rest.len()));
        match word.chars().next() {
            None => Err(self.error()),
            Some(first) if first.is_ascii_digit() || first == '.' => {
                let number = word.parse().ok().filter(|number: &f64| number.is_finite());
                let number = number.ok_or_else(|| self.error())?;
                self.rest = tail;
                Ok(Expression::Number(number))
            }
            Some(_) => {
                self.rest = tail;
                if self.take("(") {
                    return Ok(Expression::Call(word.to_owned(), self.items(")")?));
                }
                Ok(Expression::Name(word.to_owned()))
            }
        }
    }

    fn items(&mut self, closing: &str) -> Result<Vec<Expression>, String> {
        let mut items = Vec::new();
        if self.take(closing) {
            return Ok(items);
        }
        loop {
            items.push(self.deeper(|parser| parser.of_rank(0))?);
            if self.take(closing) {
                return Ok(items);
            }
            if !self.take(",") {
                return Err(self.error());
            }
        }
    }
}
