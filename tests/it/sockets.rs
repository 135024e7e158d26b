//! The local backend is in the process: not one network socket is opened.

use sagemaker::codec::Csv;
use sagemaker::{Result, Session};

use crate::fixture::endpoint;

/// Inodes of the sockets that this process holds, and those of every network socket of the machine.
#[cfg(target_os = "linux")]
fn network_sockets() -> usize {
    let mut own = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
        let Ok(link) = std::fs::read_link(entry.unwrap().path()) else { continue };
        if let Some(inode) = link.to_str().and_then(|link| link.strip_prefix("socket:[")) {
            own.push(inode.trim_end_matches(']').to_owned());
        }
    }
    let mut count = 0;
    for table in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let Ok(text) = std::fs::read_to_string(format!("/proc/self/net/{table}")) else { continue };
        let inodes = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9));
        count += inodes.filter(|inode| own.iter().any(|o| o == inode)).count();
    }
    count
}

/// Set in the process that is looked at: in this one other tests open sockets meanwhile.
#[cfg(target_os = "linux")]
const CHILD: &str = "SAGEMAKER_TEST_SOCKETS_CHILD";

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_network_socket_is_open_while_an_endpoint_answers() -> Result<()> {
    if std::env::var_os(CHILD).is_none() {
        let name = "sockets::no_network_socket_is_open_while_an_endpoint_answers";
        let mut child = std::process::Command::new(std::env::current_exe()?);
        let output = child.args(["--exact", name]).env(CHILD, "1").output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child runs this test");
        return Ok(());
    }
    let session = Session::local();
    let (_, endpoint) = endpoint(&session).await?;
    let predictor = endpoint.predictor(Csv::rows(), Csv::floats());
    predictor.predict(&[1.0, 2.0]).await?;
    assert_eq!(network_sockets(), 0);
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    assert!(network_sockets() > 0, "the count sees a socket when there is one");
    drop(listener);
    Ok(())
}
