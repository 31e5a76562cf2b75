//! The one path that marks an order paid: fetch, judge, record.
