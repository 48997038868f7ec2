// A Rust program: names in both of its manglings.
use std::collections::HashMap;

trait Shape {
    fn area(&self) -> usize;
}
struct Square(usize);
impl Shape for Square {
    #[inline(never)]
    fn area(&self) -> usize {
        let rows: Vec<Vec<u8>> = (0..self.0).map(|n| vec![0u8; n]).collect();
        rows.iter().map(|row| row.len()).sum()
    }
}

fn main() {
    let mut areas: HashMap<String, usize> = HashMap::new();
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(3)), Box::new(Square(5))];
    for (number, shape) in shapes.iter().enumerate() {
        areas.insert(format!("shape {}", number), shape.area());
    }
    println!("{}", areas.len());
}
