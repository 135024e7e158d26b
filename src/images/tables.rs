//! Accounts, repositories and tags of the built-in algorithms' images.
//!
//! Written by `tools/images.py` from the PyPI package sagemaker 2.257.7 (Apache-2.0); not to be edited.

use super::{Accounts, Algorithm, Version};

/// By name.
pub(super) static ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "xgboost",
    versions: &[
        Version { name: "1", repository: "xgboost", tag: "1", accounts: ACCOUNTS_0 },
        Version { name: "0.90-1", repository: "sagemaker-xgboost", tag: "0.90-1-cpu-py3", accounts: ACCOUNTS_1 },
        Version { name: "0.90-2", repository: "sagemaker-xgboost", tag: "0.90-2-cpu-py3", accounts: ACCOUNTS_1 },
        Version { name: "1.0-1", repository: "sagemaker-xgboost", tag: "1.0-1-cpu-py3", accounts: ACCOUNTS_1 },
        Version { name: "1.2-1", repository: "sagemaker-xgboost", tag: "1.2-1", accounts: ACCOUNTS_1 },
        Version { name: "1.2-2", repository: "sagemaker-xgboost", tag: "1.2-2", accounts: ACCOUNTS_1 },
        Version { name: "1.3-1", repository: "sagemaker-xgboost", tag: "1.3-1", accounts: ACCOUNTS_1 },
        Version { name: "1.5-1", repository: "sagemaker-xgboost", tag: "1.5-1", accounts: ACCOUNTS_1 },
        Version { name: "1.7-1", repository: "sagemaker-xgboost", tag: "1.7-1", accounts: ACCOUNTS_1 },
        Version { name: "3.0-5", repository: "sagemaker-xgboost", tag: "3.0-5", accounts: ACCOUNTS_1 },
        Version { name: "latest", repository: "xgboost", tag: "latest", accounts: ACCOUNTS_0 },
    ],
}];

static ACCOUNTS_0: Accounts = &[
    ("af-south-1", "455444449433"),
    ("ap-east-1", "286214385809"),
    ("ap-northeast-1", "501404015308"),
    ("ap-northeast-2", "306986355934"),
    ("ap-northeast-3", "867004704886"),
    ("ap-south-1", "991648021394"),
    ("ap-south-2", "628508329040"),
    ("ap-southeast-1", "475088953585"),
    ("ap-southeast-2", "544295431143"),
    ("ap-southeast-3", "951798379941"),
    ("ap-southeast-4", "106583098589"),
    ("ca-central-1", "469771592824"),
    ("cn-north-1", "390948362332"),
    ("cn-northwest-1", "387376663083"),
    ("eu-central-1", "813361260812"),
    ("eu-central-2", "680994064768"),
    ("eu-north-1", "669576153137"),
    ("eu-south-1", "257386234256"),
    ("eu-south-2", "104374241257"),
    ("eu-west-1", "685385470294"),
    ("eu-west-2", "644912444149"),
    ("eu-west-3", "749696950732"),
    ("me-central-1", "272398656194"),
    ("me-south-1", "249704162688"),
    ("sa-east-1", "855470959533"),
    ("us-east-1", "811284229777"),
    ("us-east-2", "825641698319"),
    ("us-gov-east-1", "237065988967"),
    ("us-gov-west-1", "226302683700"),
    ("us-iso-east-1", "490574956308"),
    ("us-isob-east-1", "765400339828"),
    ("us-west-1", "632365934929"),
    ("us-west-2", "433757028032"),
];

static ACCOUNTS_1: Accounts = &[
    ("af-south-1", "510948584623"),
    ("ap-east-1", "651117190479"),
    ("ap-northeast-1", "354813040037"),
    ("ap-northeast-2", "366743142698"),
    ("ap-northeast-3", "867004704886"),
    ("ap-south-1", "720646828776"),
    ("ap-south-2", "628508329040"),
    ("ap-southeast-1", "121021644041"),
    ("ap-southeast-2", "783357654285"),
    ("ap-southeast-3", "951798379941"),
    ("ap-southeast-4", "106583098589"),
    ("ca-central-1", "341280168497"),
    ("ca-west-1", "190319476487"),
    ("cn-north-1", "450853457545"),
    ("cn-northwest-1", "451049120500"),
    ("eu-central-1", "492215442770"),
    ("eu-central-2", "680994064768"),
    ("eu-north-1", "662702820516"),
    ("eu-south-1", "978288397137"),
    ("eu-south-2", "104374241257"),
    ("eu-west-1", "141502667606"),
    ("eu-west-2", "764974769150"),
    ("eu-west-3", "659782779980"),
    ("il-central-1", "898809789911"),
    ("me-central-1", "272398656194"),
    ("me-south-1", "801668240914"),
    ("sa-east-1", "737474898029"),
    ("us-east-1", "683313688378"),
    ("us-east-2", "257758044811"),
    ("us-gov-east-1", "237065988967"),
    ("us-gov-west-1", "414596584902"),
    ("us-iso-east-1", "833128469047"),
    ("us-isob-east-1", "281123927165"),
    ("us-isof-east-1", "108575199400"),
    ("us-isof-south-1", "124985052026"),
    ("us-west-1", "746614075791"),
    ("us-west-2", "246618743249"),
];

/// Of each algorithm: the number of (region, version) pairs, and the 64-bit FNV-1a hash of the sorted lines
/// `region version uri`.
#[cfg(test)]
pub(super) static DIGESTS: &[(&str, usize, u64)] = &[("xgboost", 399, 0x82d102d14ac2e17c)];
