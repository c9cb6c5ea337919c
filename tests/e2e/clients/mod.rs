//! Programs that people use, unchanged, each logging in by its own OAuth code: TypeScript SDK 2, fastmcp, mcp-remote and
//! MCP Inspector. (Python SDK, TypeScript SDK 1 and rmcp are in `journey`.) docs/clients.md shows these very commands.

mod computer;
mod programs;
mod stdio;
