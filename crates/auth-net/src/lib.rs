//! Client address behind trusted proxies, address lists, denied ranges
