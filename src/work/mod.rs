//! The use cases both faces call: inventory, risk, explain, plans and their runner. No drawing, no printing.
