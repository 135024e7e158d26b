/// A part of AWS that is closed in itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partition {
    /// What its regions' names begin with.
    prefix: &'static str,
    /// As ARNs have it.
    pub(crate) name: &'static str,
    /// What the hosts of its services end with.
    pub(crate) dns_suffix: &'static str,
}

const fn partition(prefix: &'static str, name: &'static str, dns_suffix: &'static str) -> Partition {
    Partition { prefix, name, dns_suffix }
}

const USUAL: Partition = partition("", "aws", "amazonaws.com");
const OTHERS: [Partition; 7] = [
    partition("cn-", "aws-cn", "amazonaws.com.cn"),
    partition("us-gov-", "aws-us-gov", "amazonaws.com"),
    partition("us-iso-", "aws-iso", "c2s.ic.gov"),
    partition("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    partition("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    partition("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    partition("eusc-", "aws-eusc", "amazonaws.eu"),
];

impl Partition {
    /// That of a region.
    pub(crate) fn of(region: &str) -> Self {
        OTHERS.into_iter().find(|partition| region.starts_with(partition.prefix)).unwrap_or(USUAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_tells_its_partition() {
        let name = |region: &str| Partition::of(region).name;
        assert_eq!([name("eu-west-1"), name("us-gov-west-1"), name("cn-north-1")], ["aws", "aws-us-gov", "aws-cn"]);
        assert_eq!([name("us-iso-east-1"), name("us-isob-east-1")], ["aws-iso", "aws-iso-b"]);
        assert_eq!([name("us-isof-south-1"), name("eu-isoe-west-1")], ["aws-iso-f", "aws-iso-e"]);
        assert_eq!(Partition::of("eusc-de-east-1"), partition("eusc-", "aws-eusc", "amazonaws.eu"));
    }
}
