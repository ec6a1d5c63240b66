//! Breaks cycles, in which steps would wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::{algo::tarjan_scc, graph::DiGraph};

use super::{Act, Graph, Node};
use crate::plan::PlanError;

impl Graph<'_> {
    /// Parts children from their parents where going together would make steps wait for each other, and gives up wishes
    /// where that is not enough.
    pub(super) fn part_cycles(&mut self) -> Result<(), PlanError> {
        loop {
            let mut graph: DiGraph<usize, ()> = DiGraph::new();
            let mut index_of = BTreeMap::new();
            for place in 0..self.nodes.len() {
                let root = self.root(place);
                index_of.entry(root).or_insert_with(|| graph.add_node(root));
            }
            for (first, second) in self.precedents() {
                let (first, second) = (self.root(*first), self.root(*second));
                if first != second {
                    graph.update_edge(index_of[&first], index_of[&second], ());
                }
            }
            let cycles: Vec<Vec<usize>> = tarjan_scc(&graph)
                .into_iter()
                .filter(|component| component.len() > 1)
                .map(|component| component.into_iter().map(|index| graph[index]).collect())
                .collect();
            let Some(cycle) = cycles.first() else {
                return Ok(());
            };
            if !self.part(&cycles) && !self.give_up_wishes(&cycles) {
                return Err(PlanError::Cycle(
                    cycle.iter().map(|place| self.describe(*place)).collect(),
                ));
            }
        }
    }

    /// Parts children whose own edges lead from one step of a cycle to another: those that need, rather than those that
    /// are needed, since a foreign key can stand alone more easily than the column it refers to. `false` where there is
    /// none.
    fn part(&mut self, cycles: &[Vec<usize>]) -> bool {
        let cycle_of = numbers(cycles);
        let (mut needing, mut needed) = (BTreeSet::new(), BTreeSet::new());
        for (first, second) in self.precedents() {
            let (one, other) = (self.root(*first), self.root(*second));
            if crosses(&cycle_of, one, other).is_some() {
                // A dependent is dropped before the object that it references, and created after it.
                let goes = self.nodes[*first].act == Act::Go;
                needing.insert(if goes { *first } else { *second });
                needed.insert(if goes { *second } else { *first });
            }
        }
        let can_part =
            |place: &usize| self.nodes[*place].joins.is_some() && !self.nodes[*place].bound;
        needing.retain(can_part);
        needed.retain(can_part);
        let chosen = if needing.is_empty() { needed } else { needing };
        for place in &chosen {
            self.nodes[*place].joins = None;
        }
        !chosen.is_empty()
    }

    /// Gives up one wish of each cycle that has any: first those for what comes, since a part that comes seldom minds
    /// how its whole is. `false` where there is none.
    fn give_up_wishes(&mut self, cycles: &[Vec<usize>]) -> bool {
        let cycle_of = numbers(cycles);
        let mut given_up: BTreeMap<usize, (bool, (usize, usize))> = BTreeMap::new();
        for wish in &self.wishes {
            let (one, other) = (self.root(wish.0), self.root(wish.1));
            if let Some(cycle) = crosses(&cycle_of, one, other) {
                let candidate = (self.nodes[wish.0].act == Act::Go, *wish);
                let chosen = given_up.entry(cycle).or_insert(candidate);
                *chosen = candidate.min(*chosen);
            }
        }
        for (_, wish) in given_up.values() {
            self.wishes.remove(wish);
        }
        !given_up.is_empty()
    }

    fn describe(&self, place: usize) -> String {
        let Node { id, act, .. } = &self.nodes[place];
        match act {
            Act::Go => format!("drop {id}"),
            Act::Alter => format!("alter {id}"),
            Act::Clear => format!("drop the old {id}"),
            Act::Come => format!("create {id}"),
        }
    }
}

/// The number of the cycle that each node is in.
fn numbers(cycles: &[Vec<usize>]) -> BTreeMap<usize, usize> {
    let members = cycles.iter().enumerate();
    members
        .flat_map(|(number, cycle)| cycle.iter().map(move |root| (*root, number)))
        .collect()
}

/// The cycle in which an edge leads from one node to another.
fn crosses(cycle_of: &BTreeMap<usize, usize>, one: usize, other: usize) -> Option<usize> {
    let cycle = cycle_of.get(&one)?;
    (one != other && cycle_of.get(&other) == Some(cycle)).then_some(*cycle)
}
