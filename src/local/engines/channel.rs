//! Which of a channel's files a host gets, and in which order.

use bytes::Bytes;
use fastrand::Rng;

use super::Channel;

/// Puts the records of a channel, each of some files in a row, in a random order.
pub(in crate::local) fn shuffle<T>(records: &mut [T], seed: u64, epoch: u64) {
    Rng::with_seed(seed.wrapping_add(epoch)).shuffle(records);
}

impl Channel {
    /// The files that one of a job's hosts gets in an epoch, in their order; host and epoch are counted from 0.
    pub(super) fn share(&self, epoch: u64, host: usize, hosts: usize) -> Vec<&(String, Bytes)> {
        let mut records: Vec<&[(String, Bytes)]> = self.files.chunks(self.files_per_record.max(1)).collect();
        if let Some(seed) = self.shuffle_seed.filter(|_| epoch > 0) {
            shuffle(&mut records, seed, epoch);
        }
        // A shard is every so-manieth record.
        let (first, count) = if self.sharded { (host, hosts.max(1)) } else { (0, 1) };
        records.into_iter().skip(first).step_by(count).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(channel: &Channel, epoch: u64, host: usize, hosts: usize) -> Vec<&str> {
        channel.share(epoch, host, hosts).into_iter().map(|(name, _)| name.as_str()).collect()
    }

    fn channel(count: usize) -> Channel {
        let files = (0..count).map(|number| (number.to_string(), Bytes::new())).collect();
        Channel { files, ..Channel::default() }
    }

    #[test]
    fn shards_are_of_whole_records() {
        let channel = Channel { sharded: true, files_per_record: 2, ..channel(6) };
        assert_eq!(names(&channel, 0, 0, 2), ["0", "1", "4", "5"]);
        assert_eq!(names(&channel, 1, 1, 2), ["2", "3"]);
        assert_eq!(names(&Channel { sharded: false, ..channel }, 0, 1, 2).len(), 6);
    }

    #[test]
    fn each_epoch_has_an_order_of_its_own_and_the_hosts_agree_on_it() {
        let channel = Channel { sharded: true, shuffle_seed: Some(7), ..channel(20) };
        let mut orders = Vec::new();
        for epoch in 0..3 {
            let mut all: Vec<&str> = (0..2).flat_map(|host| names(&channel, epoch, host, 2)).collect();
            orders.push(all.clone());
            all.sort_by_key(|name| name.parse::<usize>().unwrap());
            assert_eq!(all, names(&channel, 0, 0, 1));
        }
        assert!(orders[0] != orders[1] && orders[1] != orders[2]);
        assert_eq!(orders[1], (0..2).flat_map(|host| names(&channel, 1, host, 2)).collect::<Vec<_>>());
    }
}
