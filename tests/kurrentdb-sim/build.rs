//! Generates the server's side from the official protocol definitions, without `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=protos");
    let descriptors = protox::compile(["streams.proto", "serverfeatures.proto"], ["protos"])?;
    tonic_build::configure().build_client(false).build_transport(false).compile_fds(descriptors)?;
    Ok(())
}
