fn main() {
    for crd in api::openchoreo::custom_resource_definitions() {
        println!("{}", object::json::to_string_pretty(&crd, 1));
    }
}
