//! Which ports the product listens on.

use anyhow::{Context, Result, ensure};

use crate::args::UpOptions;
use crate::services::{free_port, is_free};

/// Ports on 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The buyers' port of each gateway; at least one.
    pub gateways: Vec<u16>,
    /// The operators' port, of the first gateway.
    pub operators: u16,
    /// Where each consumer shows its metrics and its health; any free ones.
    pub consumers: Vec<u16>,
}

impl Ports {
    /// The buyers' port of the first gateway.
    pub fn buyers(&self) -> u16 {
        self.gateways[0]
    }
}

/// The ports asked for, all free at the moment.
///
/// # Errors
/// One of them is taken.
pub fn choose(options: &UpOptions) -> Result<Ports> {
    let mut ports = plan(options, free_port)?;
    ports.consumers = (0..options.consumers).map(|_| free_port()).collect::<Result<_>>()?;
    for &port in ports.gateways.iter().chain([&ports.operators]) {
        ensure!(is_free(port), "port {port} of 127.0.0.1 is taken; choose others with --port and --admin-port");
    }
    Ok(ports)
}

/// The first gateway listens on P, the next on P+2, P+3 …, never on the operators' port; 0 stands for any free port.
fn plan(options: &UpOptions, mut any: impl FnMut() -> Result<u16>) -> Result<Ports> {
    let operators = if options.admin_port == 0 { any()? } else { options.admin_port };
    let count = usize::from(options.gateways);
    if options.port == 0 {
        let gateways = (0..count).map(|_| any()).collect::<Result<_>>()?;
        return Ok(Ports { gateways, operators, consumers: Vec::new() });
    }
    let further = (2..=u16::MAX).map_while(|step| options.port.checked_add(step)).filter(|&port| port != operators);
    let gateways: Vec<u16> = [options.port].into_iter().chain(further).take(count).collect();
    (gateways.len() == count)
        .then_some(Ports { gateways, operators, consumers: Vec::new() })
        .context("there are not enough ports above --port for so many gateways")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(port: u16, admin_port: u16, gateways: u16) -> Result<Ports> {
        let mut next = 50_000;
        let any = || {
            next += 1;
            Ok(next)
        };
        plan(&UpOptions { port, admin_port, gateways, ..UpOptions::default() }, any)
    }

    #[test]
    fn further_gateways_leave_the_operators_port_alone() {
        assert_eq!(
            planned(8080, 8081, 3).unwrap(),
            Ports { gateways: vec![8080, 8082, 8083], operators: 8081, consumers: vec![] }
        );
        assert_eq!(
            planned(9000, 9002, 3).unwrap(),
            Ports { gateways: vec![9000, 9003, 9004], operators: 9002, consumers: vec![] }
        );
    }

    #[test]
    fn zero_means_any() {
        assert_eq!(
            planned(0, 0, 2).unwrap(),
            Ports { gateways: vec![50_002, 50_003], operators: 50_001, consumers: vec![] }
        );
    }

    #[test]
    fn the_last_port_is_the_last() {
        assert!(planned(65_535, 8081, 1).is_ok());
        assert!(planned(65_534, 8081, 2).is_err());
    }
}
