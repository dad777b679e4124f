//! Prints a group, and says which targets it missed.

use crate::{
    case::{Group, Role, Target},
    measure::Row,
};

pub fn print(group: &Group, rows: &[Row]) -> Vec<String> {
    let first = rows.first().map_or(1, |row| row.instructions.max(1));
    let first_allocations = rows.first().map_or(0, |row| row.allocations);
    let first_own = rows.first().map_or(0, Row::own_instructions);
    println!("{} ({})", group.name, group.input);
    println!(
        "  {:<44} {:>12} {:>9} {:>10} {:>12}  target",
        "", "instructions", "to first", "beyond it", "allocations"
    );
    let mut missed = Vec::new();
    for (case, row) in group.cases.iter().zip(rows) {
        let ratio = row.instructions as f64 / first as f64;
        let (role, target) = match case.role {
            Role::Floor => ("floor", String::new()),
            Role::Peer => ("peer", String::new()),
            Role::Ours(target) => {
                let (met, text) = match target {
                    Target::OfFirst { ratio: most, allocations } => (
                        most.is_none_or(|most| ratio <= most) && row.allocations <= allocations,
                        format!(
                            "at most {}allocations {allocations}",
                            most.map_or_else(String::new, |most| format!("ratio {most}, "))
                        ),
                    ),
                    Target::Beyond { instructions, allocations } => (
                        row.own_instructions() <= first_own + instructions
                            && row.allocations <= first_allocations + allocations,
                        format!(
                            "at most {instructions} and allocations {allocations} beyond it ({} without counting)",
                            row.own_instructions().saturating_sub(first_own)
                        ),
                    ),
                    Target::AsFirst { allocations } => (
                        (0.98..=1.02).contains(&ratio) && row.allocations == allocations,
                        format!("ratio from 0.98 to 1.02, allocations {allocations}"),
                    ),
                    Target::AtMost { instructions, allocations } => (
                        row.own_instructions() <= instructions && row.allocations <= allocations,
                        format!(
                            "at most {instructions} and allocations {allocations} ({} without counting)",
                            row.own_instructions()
                        ),
                    ),
                };
                if !met {
                    missed.push(format!(
                        "{}/{}: {ratio:.2} and {}, {text}",
                        group.name, case.name, row.allocations
                    ));
                }
                ("us", format!("{text}: {}", if met { "met" } else { "MISSED" }))
            }
        };
        let name = format!("{} ({role})", case.name);
        println!(
            "  {name:<44} {:>12} {ratio:>9.2} {:>10} {:>12}  {target}",
            row.instructions,
            row.instructions.saturating_sub(first),
            row.allocations
        );
    }
    println!();
    missed
}
