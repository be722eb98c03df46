//! A list on the screen: which items are shown, which is selected, how far it is scrolled.

/// A list over items that live elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The items shown, as indices into what the list is over, in order.
    pub shown: Vec<usize>,
    /// The selected row among those shown.
    pub selected: usize,
    /// The first row on the screen.
    pub offset: usize,
    /// Text that rows must match.
    pub filter: String,
}

impl List {
    /// The selected item.
    pub fn selected_item(&self) -> Option<usize> {
        self.shown.get(self.selected).copied()
    }

    /// Moves the selection by some rows, stopping at the ends.
    pub fn step(&mut self, rows: isize) {
        let last = self.shown.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(rows).min(last);
    }

    /// Selects a row, stopping at the end.
    pub fn select(&mut self, row: usize) {
        self.selected = row.min(self.shown.len().saturating_sub(1));
    }

    /// Shows other items, keeping the selected item selected where it is still there.
    pub fn show(&mut self, shown: Vec<usize>, keep: Option<usize>) {
        let kept = keep.and_then(|item| shown.iter().position(|other| *other == item));
        self.shown = shown;
        let row = kept.unwrap_or(self.selected);
        self.select(row);
    }

    /// Scrolls as little as needed so that the selection is among `height` rows.
    pub fn scroll(&mut self, height: usize) {
        let height = height.max(1);
        self.offset = self
            .offset
            .min(self.selected)
            .max((self.selected + 1).saturating_sub(height))
            .min(self.shown.len().saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_on_its_item_when_the_list_changes() {
        let mut list = List { shown: vec![4, 7, 9], selected: 1, ..List::default() };
        list.show(vec![9, 7, 4, 1], Some(7));
        assert_eq!(list.selected_item(), Some(7));
        list.show(vec![9], Some(7));
        assert_eq!(list.selected_item(), Some(9));
        list.show(vec![], None);
        assert_eq!(list.selected_item(), None);
    }

    #[test]
    fn a_list_scrolls_as_little_as_needed() {
        let mut list = List { shown: (0..10).collect(), ..List::default() };
        list.step(5);
        list.scroll(4);
        assert_eq!(list.offset, 2);
        list.step(-2);
        list.scroll(4);
        assert_eq!(list.offset, 2);
        list.step(-9);
        list.scroll(4);
        assert_eq!((list.selected, list.offset), (0, 0));
        list.select(99);
        list.scroll(40);
        assert_eq!((list.selected, list.offset), (9, 0));
    }
}
