//! What a value is: `typeOf`, `kindOf`, `deepEqual` …

use gotemplate::{Functions, Kind, Type, Value};

use crate::args::{function, text};
use crate::compare;

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "typeOf",
        function(&[Type::Any], |_, args| Ok(Value::from(args[0].type_name()))),
    );
    functions.insert(
        "typeIs",
        function(&[Type::String, Type::Any], |_, args| {
            Ok(Value::Bool(
                text(&args[0]) == args[1].type_name().as_bytes(),
            ))
        }),
    );
    functions.insert(
        "typeIsLike",
        function(&[Type::String, Type::Any], |_, args| {
            let name = args[1].type_name();
            let plain = name.strip_prefix('*').unwrap_or(name);
            let wanted = text(&args[0]);
            Ok(Value::Bool(
                wanted == name.as_bytes() || wanted == plain.as_bytes(),
            ))
        }),
    );
    functions.insert(
        "kindOf",
        function(&[Type::Any], |_, args| Ok(Value::from(kind(&args[0])))),
    );
    functions.insert(
        "kindIs",
        function(&[Type::String, Type::Any], |_, args| {
            Ok(Value::Bool(text(&args[0]) == kind(&args[1]).as_bytes()))
        }),
    );
    // What a value is has been learned when it was taken out of something.
    functions.looks(
        None,
        &["typeOf", "typeIs", "typeIsLike", "kindOf", "kindIs"],
    );
    functions.insert(
        "deepEqual",
        function(&[Type::Any, Type::Any], |_, args| {
            compare::deep_equal(&args[0], &args[1]).map(Value::Bool)
        }),
    );
}

/// The kind of a value as Go's `reflect.Kind` prints it.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value.kind() {
        Kind::Invalid => "invalid",
        Kind::Bool => "bool",
        Kind::Int(of) => of.name(),
        Kind::Uint(of) => of.name(),
        Kind::Float64 => "float64",
        Kind::Complex128 => "complex128",
        Kind::String => "string",
        Kind::Slice => "slice",
        Kind::Map => "map",
        Kind::Struct => "struct",
        Kind::Pointer => "ptr",
        Kind::Func => "func",
    }
}
