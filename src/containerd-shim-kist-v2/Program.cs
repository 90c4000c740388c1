using Kist.Formats;
using Kist.Shim;

// containerd reads standard output and standard error of "start" as one text: on success there is nothing but the address.
try
{
    var arguments = ShimArguments.Parse(args);
    switch (arguments.Action)
    {
        case "start":
            Console.Out.Write(ShimProgram.Start(arguments));
            return 0;
        case "delete":
            using (var output = Console.OpenStandardOutput())
                output.Write(ShimProgram.Delete(arguments, TimeProvider.System));
            return 0;
        case "serve":
            await ShimProgram.ServeAsync(arguments, TimeProvider.System);
            return 0;
        case "-v":
            Console.Out.WriteLine($"containerd-shim-kist-v2 {typeof(ShimProgram).Assembly.GetName().Version?.ToString(3)}");
            return 0;
        default:
            Console.Error.WriteLine("containerd-shim-kist-v2: containerd runs this program: see docs/containerd.md");
            return 2;
    }
}
catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"containerd-shim-kist-v2: {e.Message}");
    return 1;
}
